-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Commits that touch a file or folder between two releases
-- parameter: path path = | a path; % stands for anything, a folder for all below it
-- parameter: old release = oldest | what this release has is left out
-- parameter: new release = newest | up to this release, itself included
-- column: oid | the commit
-- column: subject | its first line
-- column: author | as the mailmap names them
-- column: release | the first release that contains it
-- column: date | of the commit, UTC
-- column: status | A added, M modified, D deleted, R renamed, T changed its type; several paths are joined
-- read: newest first; ask for the old name too where a row says R
WITH ends AS (
    SELECT o.position AS old_position, n.position AS new_position, n.mainline AS new_mainline,
           regexp_replace(n.name, '[.][0-9]+$', '') AS series
    FROM releases o, releases n
    WHERE o.name = $old AND n.name = $new
), between_them AS (
    -- A stable release is between two others only when it is of the newer one's series.
    SELECT r.name
    FROM releases r, ends
    WHERE r.position > old_position AND r.position <= new_position
      AND CASE WHEN r.mainline
               THEN new_mainline OR r.position <= (SELECT position FROM releases WHERE name = series)
               ELSE NOT new_mainline AND regexp_replace(r.name, '[.][0-9]+$', '') = series END
)
SELECT c.oid, c.subject, c.author, c.release,
       strftime(make_timestamp(c.commit_time * 1000000), '%Y-%m-%d') AS date,
       string_agg(DISTINCT ch.status, '' ORDER BY ch.status) AS status
FROM commits c
JOIN between_them b ON b.name = c.release
JOIN changes ch ON ch.oid = c.oid
WHERE ch.path LIKE $path OR ch.old_path LIKE $path
GROUP BY c.number, c.oid, c.subject, c.author, c.release, c.commit_time
ORDER BY c.number DESC
