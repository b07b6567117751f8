-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Commits by the tree they came through and release
-- parameter: since release = oldest | the first release to count
-- column: release | the first release that contains the commits
-- column: tree | the outermost tree, or the stable branch
-- column: commits | commits in scope
-- read: one row a release and tree; "mainline" is what no merge brought, "unnamed" what came by a merge that names no tree
SELECT r.name AS release,
       CASE WHEN c.lineage = '' THEN 'unnamed' ELSE split_part(c.lineage, ' > ', 1) END AS tree,
       count(*) AS commits
FROM commits c
JOIN releases r ON r.name = c.release
WHERE r.position >= (SELECT position FROM releases WHERE name = $since)
GROUP BY r.position, r.name, tree
ORDER BY r.position, commits DESC, tree
