-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Files that fixes touch most often
-- parameter: top = 20 | how many files
-- read: a file high on the list is where a change deserves a second look; "share" is fixes among all its commits
WITH fixing AS (
    SELECT DISTINCT oid FROM links WHERE kind IN ('fixes', 'blames', 'reverts') AND target IS NOT NULL
)
SELECT ch.path,
       count(DISTINCT ch.oid) FILTER (ch.oid IN (SELECT oid FROM fixing)) AS fixes,
       count(DISTINCT ch.oid) AS commits,
       round(fixes / commits, 2) AS share
FROM changes ch
GROUP BY ch.path
HAVING fixes > 0
ORDER BY fixes DESC, share DESC, ch.path
LIMIT CAST($top AS INTEGER)
