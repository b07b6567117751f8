-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Notices to stable that a stable branch has not taken
-- parameter: branch branch = % | one branch, as linux-6.1.y
-- column: branch | the stable branch
-- column: base | the release that it starts from
-- column: asked | mainline commits since then that ask for stable
-- column: taken | of them, how many the branch names as taken
-- column: waiting | the others
-- column: waiting_for_base | of the others, those that fix what the base has
-- read: a bound, not a list: a notice may be meant for newer branches only, and a pick may name nothing; `kbisect backport list` tells
WITH branches AS (
    SELECT DISTINCT c.lineage AS branch, r.name AS base, r.position
    FROM commits c
    JOIN releases r ON r.name = 'v' || regexp_extract(c.lineage, '^linux-([0-9.]+)[.]y$', 1)
    WHERE c.lineage LIKE $branch
), asking AS (
    SELECT DISTINCT u.oid, r.position
    FROM links s
    JOIN upstream u ON u.oid = s.oid
    JOIN cycles r ON r.release = u.release
    WHERE s.kind = 'stable' AND s.form <> 'opt-out'
), picks AS (
    SELECT DISTINCT c.lineage AS branch, l.target AS oid
    FROM links l
    JOIN commits c ON c.oid = l.oid
    WHERE l.kind = 'upstream'
), standing AS (
    SELECT b.branch, b.base, b.position, a.oid, p.oid IS NOT NULL AS taken,
           EXISTS (SELECT 1
                   FROM fixes f
                   JOIN commits c ON c.oid = f.culprit
                   JOIN releases r ON r.name = c.release
                   WHERE f.fix = a.oid AND r.position <= b.position) AS in_base
    FROM branches b
    JOIN asking a ON a.position > b.position
    LEFT JOIN picks p ON p.branch = b.branch AND p.oid = a.oid
)
SELECT branch, base,
       count(*) AS asked,
       count(*) FILTER (taken) AS taken,
       count(*) FILTER (NOT taken) AS waiting,
       count(*) FILTER (NOT taken AND in_base) AS waiting_for_base
FROM standing
GROUP BY branch, base, position
ORDER BY position
