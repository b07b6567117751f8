-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Time from culprit to fix, by the release of the fix
-- parameter: since release = oldest | from the cycle of this release on
-- column: release | the release that the cycle leads to
-- column: fixes | pairs of a fix and its culprit
-- column: median_days | half of them took at most so long
-- column: p90_days | nine of ten took at most so long
-- column: same_cycle | pairs of which both came in this cycle: nobody saw the bug in a release
-- read: by the fix's release, since by the culprit's the newest would look best: their bugs aren't found yet
SELECT r.cycle AS release,
       count(*) AS fixes,
       round(quantile_cont((f.commit_time - c.commit_time) / 86400, 0.5), 1) AS median_days,
       round(quantile_cont((f.commit_time - c.commit_time) / 86400, 0.9), 1) AS p90_days,
       count(*) FILTER (b.ordinal = r.ordinal) AS same_cycle
FROM fixes l
JOIN commits f ON f.oid = l.fix
JOIN commits c ON c.oid = l.culprit
JOIN cycles r ON r.release = f.release
LEFT JOIN cycles b ON b.release = c.release
WHERE r.ordinal >= (
    SELECT coalesce(max(ordinal), 1) FROM cycles
    WHERE start <= (SELECT position FROM releases WHERE name = $since))
GROUP BY r.ordinal, r.cycle
ORDER BY r.ordinal
