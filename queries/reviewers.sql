-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Who reviewed, acked and tested, by release
-- parameter: since release = oldest | from the cycle of this release on
-- parameter: top integer = 10 | how many people a release
-- column: release | the release that the cycle leads to
-- column: person | the address in the trailer
-- column: reviewed | commits with their Reviewed-by
-- column: acked | with their Acked-by
-- column: tested | with their Tested-by
-- column: commits | with any of the three
-- read: addresses are as written: one who has two stands twice
WITH said AS (
    SELECT r.cycle, r.ordinal, u.oid,
           unnest(u.trailers) AS trailer
    FROM upstream u
    JOIN cycles r ON r.release = u.release
    WHERE r.ordinal >= (
        SELECT coalesce(max(ordinal), 1) FROM cycles
        WHERE start <= (SELECT position FROM releases WHERE name = $since))
), people_of AS (
    SELECT cycle, ordinal, oid, lower(trailer.key) AS tag,
           lower(coalesce(nullif(regexp_extract(trailer.value, '<([^<>]+)>', 1), ''),
                          trim(trailer.value))) AS person
    FROM said
)
SELECT cycle AS release,
       person,
       count(DISTINCT oid) FILTER (tag LIKE '%reviewed%') AS reviewed,
       count(DISTINCT oid) FILTER (tag = 'acked-by') AS acked,
       count(DISTINCT oid) FILTER (tag LIKE '%tested%') AS tested,
       count(DISTINCT oid) AS commits
FROM people_of
WHERE tag IN ('reviewed-by', 'acked-by', 'tested-by', 'reported-and-tested-by',
              'tested-and-acked-by', 'reviewed-and-tested-by')
GROUP BY ordinal, cycle, person
QUALIFY row_number() OVER (PARTITION BY ordinal ORDER BY commits DESC, person) <= $top
ORDER BY ordinal, commits DESC, person
