-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Fixes and what they fix, with the days between
-- parameter: path = % | only fixes that touch this path (SQL LIKE)
-- read: "how" tells how sure the link is: exact and abbreviated are ids, subject and repaired were found by the subject, blames is prose
SELECT f.oid AS fix,
       f.subject AS fix_subject,
       f.release AS fixed_in,
       l.target AS culprit,
       c.release AS broken_since,
       CASE WHEN l.kind = 'blames' THEN 'blames' ELSE l.how END AS how,
       (f.commit_time - c.commit_time) // 86400 AS days
FROM links l
JOIN commits f ON f.oid = l.oid
JOIN commits c ON c.oid = l.target
WHERE l.kind IN ('fixes', 'blames')
  AND EXISTS (SELECT 1 FROM changes x WHERE x.oid = f.oid AND x.path LIKE $path)
ORDER BY f.number, culprit
