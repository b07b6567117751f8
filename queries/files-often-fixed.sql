-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Files that fixes touch most often
-- parameter: top integer = 20 | how many files
-- column: path | the file
-- column: fixes | commits to it that fix or revert another commit
-- column: commits | all commits to it
-- column: share | fixes among them
-- read: a file high on the list is where a change deserves a second look; stable branches aren't counted
WITH fixing AS (
    SELECT fix AS oid FROM fixes
    UNION
    SELECT l.oid FROM links l WHERE l.kind = 'reverts' AND l.target IS NOT NULL
)
SELECT ch.path,
       count(DISTINCT f.oid) AS fixes,
       count(DISTINCT u.oid) AS commits,
       round(count(DISTINCT f.oid) / count(DISTINCT u.oid), 2) AS share
FROM changes ch
JOIN upstream u ON u.oid = ch.oid
LEFT JOIN fixing f ON f.oid = u.oid
GROUP BY ch.path
HAVING count(f.oid) > 0
ORDER BY fixes DESC, share DESC, ch.path
LIMIT $top
