-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Commits by the tree they came through and release
-- parameter: since release = oldest | the first release to count
-- column: release | the first release that contains the commits
-- column: tree | the outermost tree
-- column: commits | commits in scope
-- read: one row a release and tree; "direct" is what no tree's merge brought
SELECT r.name AS release,
       CASE WHEN c.lineage = '' THEN 'direct' ELSE split_part(c.lineage, ' > ', 1) END AS tree,
       count(*) AS commits
FROM commits c
JOIN releases r ON r.name = c.release
WHERE r.position >= (SELECT position FROM releases WHERE name = $since)
GROUP BY r.position, r.name, tree
ORDER BY r.position, commits DESC, tree
