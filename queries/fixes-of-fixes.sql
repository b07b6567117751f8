-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Fixes that had to be fixed
-- parameter: path path = % | only where the second fix touches this path
-- column: fix | the later fix
-- column: subject | its first line
-- column: release | the first release that contains it
-- column: of | the fix that it fixes
-- column: of_subject | its first line
-- column: culprit | what that one was to fix
-- column: days | between the two fixes
-- read: one row a chain of three; a fix of two culprits has two rows; a backport of "of" needs "fix" too
SELECT f.oid AS fix,
       f.subject,
       f.release,
       g.oid AS "of",
       g.subject AS of_subject,
       first.culprit,
       (f.commit_time - g.commit_time) // 86400 AS days
FROM fixes second
JOIN fixes first ON first.fix = second.culprit
JOIN commits f ON f.oid = second.fix
JOIN commits g ON g.oid = first.fix
JOIN commits c ON c.oid = first.culprit
WHERE EXISTS (SELECT 1 FROM changes x WHERE x.oid = f.oid AND (x.path LIKE $path OR x.old_path LIKE $path))
ORDER BY f.number, g.number, c.number
