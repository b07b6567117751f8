-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Commits by the tree they came through and release
-- parameter: since = v0 | the first release to count
-- read: one row a release and tree; "direct" is what no tree's merge brought
WITH chosen AS (
    SELECT coalesce(min(position) FILTER (name = $since), 0) AS first FROM releases
)
SELECT r.name AS release,
       CASE WHEN c.lineage = '' THEN 'direct' ELSE split_part(c.lineage, ' > ', 1) END AS tree,
       count(*) AS commits
FROM commits c
JOIN releases r ON r.name = c.release, chosen
WHERE r.position >= chosen.first
GROUP BY r.position, r.name, tree
ORDER BY r.position, commits DESC, tree
