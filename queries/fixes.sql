-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Fixes and what they fix, with the days between
-- parameter: path path = % | only fixes that touch this path
-- column: fix | the commit that fixes
-- column: fix_subject | its first line
-- column: fixed_in | the first release with the fix, empty when there is none yet
-- column: culprit | the commit that it fixes
-- column: broken_since | the first release with the culprit
-- column: how | how the culprit was found
-- column: days | between the two
-- read: "how" tells how sure the link is: exact and abbreviated are ids, subject and repaired were found by the subject, blames is prose
SELECT f.oid AS fix,
       f.subject AS fix_subject,
       f.release AS fixed_in,
       l.culprit,
       c.release AS broken_since,
       l.how,
       (f.commit_time - c.commit_time) // 86400 AS days
FROM fixes l
JOIN commits f ON f.oid = l.fix
JOIN commits c ON c.oid = l.culprit
WHERE EXISTS (SELECT 1 FROM changes x WHERE x.oid = f.oid AND (x.path LIKE $path OR x.old_path LIKE $path))
ORDER BY f.number, c.number
