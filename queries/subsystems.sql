-- SPDX-License-Identifier: GPL-2.0-or-later
-- title: Commits by subsystem and release
-- parameter: since release = oldest | from the cycle of this release on
-- column: release | the release that the cycle leads to
-- column: subsystem | as MAINTAINERS named it at that time
-- column: commits | commits in scope, each counted once
-- read: one row a release and subsystem; stable branches aren't counted
SELECT r.cycle AS release,
       coalesce(u.subsystem, '') AS subsystem,
       count(*) AS commits
FROM upstream u
JOIN cycles r ON r.release = u.release
WHERE r.ordinal >= (
    SELECT coalesce(max(ordinal), 1) FROM cycles
    WHERE start <= (SELECT position FROM releases WHERE name = $since))
GROUP BY r.ordinal, r.cycle, u.subsystem
ORDER BY r.ordinal, commits DESC, subsystem
