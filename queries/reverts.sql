-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Reverts, and how long what they take back had lived
-- parameter: path path = % | only reverts that touch this path
-- column: revert | the commit that takes back
-- column: subject | its first line
-- column: release | the first release that contains it
-- column: reverted | what it takes back
-- column: how | how that was found
-- column: days | between the two
-- read: an empty "reverted" means the revert names a commit this repository doesn't have; stable branches are counted too
SELECT r.oid AS revert,
       r.subject,
       r.release,
       l.target AS reverted,
       l.how,
       (r.commit_time - c.commit_time) // 86400 AS days
FROM links l
JOIN commits r ON r.oid = l.oid
LEFT JOIN commits c ON c.oid = l.target
WHERE l.kind = 'reverts'
  AND EXISTS (SELECT 1 FROM changes x WHERE x.oid = r.oid AND (x.path LIKE $path OR x.old_path LIKE $path))
ORDER BY r.number, c.number
