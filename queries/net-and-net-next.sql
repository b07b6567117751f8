-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: What came through net, and what through net-next
-- parameter: since release = oldest | from the cycle of this release on
-- column: release | the release that the cycle leads to
-- column: net | commits in scope that came through net
-- column: net_next | through net-next
-- column: other | through neither
-- column: net_in_window | of those through net, how many came in the merge window
-- read: net is for fixes: many of them for few of net-next is a cycle that was not ready
SELECT r.cycle AS release,
       count(*) FILTER (split_part(u.lineage, ' > ', 1) = 'net') AS net,
       count(*) FILTER (split_part(u.lineage, ' > ', 1) = 'net-next') AS net_next,
       count(*) FILTER (split_part(u.lineage, ' > ', 1) NOT IN ('net', 'net-next')) AS other,
       count(*) FILTER (split_part(u.lineage, ' > ', 1) = 'net' AND r.candidate = 1)
           AS net_in_window
FROM upstream u
JOIN cycles r ON r.release = u.release
WHERE r.ordinal >= (
    SELECT coalesce(max(ordinal), 1) FROM cycles
    WHERE start <= (SELECT position FROM releases WHERE name = $since))
GROUP BY r.ordinal, r.cycle
ORDER BY r.ordinal
