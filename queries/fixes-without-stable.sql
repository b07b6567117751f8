-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Fixes of released bugs that carry no notice to stable
-- parameter: since release = oldest | fixes that landed in the cycle of this release or later
-- column: fix | the commit that fixes
-- column: subject | its first line
-- column: release | the first release that contains it, empty when there is none yet
-- column: culprit | the commit that it fixes
-- column: broken_since | the release by which the bug got out
-- column: how | how the culprit was found
-- read: the bug was in a final release before its fix came; until 2021 net asked for stable by other ways than a Cc, so an empty notice there means little
WITH final AS (
    SELECT cycle, ordinal FROM cycles WHERE candidate IS NULL
)
SELECT f.oid AS fix, f.subject, f.release, l.culprit, out.cycle AS broken_since, l.how
FROM fixes l
JOIN upstream f ON f.oid = l.fix
JOIN upstream c ON c.oid = l.culprit
JOIN cycles broken ON broken.release = c.release
JOIN final out ON out.cycle = broken.cycle
LEFT JOIN cycles fixed ON fixed.release = f.release
WHERE (fixed.ordinal IS NULL OR fixed.ordinal > out.ordinal)
  AND (fixed.ordinal IS NULL
       OR fixed.position >= (SELECT position FROM releases WHERE name = $since))
  AND NOT EXISTS (SELECT 1 FROM links s WHERE s.oid = f.oid AND s.kind = 'stable')
ORDER BY f.number, c.number
