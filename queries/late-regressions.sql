-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Regressions introduced late in a cycle
-- parameter: after integer = 4 | late means: landed after this release candidate
-- column: culprit | a commit that was fixed or blamed later
-- column: subject | its first line
-- column: landed | the first release that contains it
-- column: tree | through which tree it came
-- column: fixes | how many commits fix it
-- column: first_fixed_in | the first release with a fix, empty when there is none yet
-- column: escaped | whether a final release had the bug before the first fix
-- read: what lands late is a fix itself and is tested least; "escaped" ones reached people
SELECT c.oid AS culprit,
       c.subject,
       c.release AS landed,
       split_part(c.lineage, ' > ', 1) AS tree,
       count(DISTINCT f.oid) AS fixes,
       arg_min(fixed.release, fixed.position) AS first_fixed_in,
       EXISTS (SELECT 1 FROM cycles x WHERE x.cycle = any_value(late.cycle) AND x.candidate IS NULL)
           AND coalesce(min(fixed.ordinal) > any_value(late.ordinal), true) AS escaped
FROM fixes l
JOIN commits c ON c.oid = l.culprit
JOIN commits f ON f.oid = l.fix
JOIN cycles late ON late.release = c.release
LEFT JOIN cycles fixed ON fixed.release = f.release
WHERE coalesce(late.candidate, 1000) > $after
  -- What the oldest release has may have landed at any time before.
  AND late.position > (SELECT min(position) FROM releases)
GROUP BY c.number, c.oid, c.subject, c.release, c.lineage
ORDER BY c.number
