-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Sizes of the merge windows
-- parameter: since release = oldest | from the cycle of this release on
-- column: release | the release that the cycle leads to
-- column: in_window | commits in scope that are first in -rc1
-- column: later | commits in scope that came after it
-- column: share | of the commits that came in the window
-- column: days | from the release before to -rc1
-- read: "later" should be fixes; where -rc1 isn't tagged, "days" is empty and all came later; of the oldest cycle only a part is known
WITH counted AS (
    SELECT r.cycle, r.ordinal,
           count(*) FILTER (r.candidate = 1) AS in_window,
           count(*) FILTER (coalesce(r.candidate, 0) <> 1) AS later
    FROM upstream u
    JOIN cycles r ON r.release = u.release
    WHERE r.ordinal >= (
        SELECT coalesce(max(ordinal), 1) FROM cycles
        WHERE start <= (SELECT position FROM releases WHERE name = $since))
    GROUP BY r.cycle, r.ordinal
)
SELECT n.cycle AS release,
       n.in_window,
       n.later,
       round(n.in_window / (n.in_window + n.later), 2) AS share,
       round((rc1.time - before.time) / 86400, 1) AS days
FROM counted n
LEFT JOIN cycles rc1 ON rc1.ordinal = n.ordinal AND rc1.candidate = 1
LEFT JOIN cycles before ON before.ordinal = n.ordinal - 1 AND before.candidate IS NULL
ORDER BY n.ordinal
