-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Reverts, and how long what they take back had lived
-- read: an empty "reverted" means the revert names a commit this repository doesn't have
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
ORDER BY r.number
