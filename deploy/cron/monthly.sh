#!/bin/sh
# On the 5th of each month at 3 o'clock, when the bills of the last month are in:
#   0 3 5 * *  /srv/churnml/deploy/cron/monthly.sh /data/tables /srv/churnml/project
# The project folder holds mlflow.db and mlartifacts, and gets runs/<date> and monthly.log.
set -u
tables=${1:?the folder of tables}
project=${2:?the project folder}
churnml=${CHURNML:-churnml}
cd "$project" || exit 5
# Two at a time would wait for each other; the second one has nothing to do.
exec 9>.monthly.lock
flock --nonblock 9 || exit 0
"$churnml" run "$tables" >>monthly.log 2>&1
status=$?
case $status in
0) ;;
6) echo "churnml: done, but something is to be looked at: $project/monthly.log" >&2 ;;
*) echo "churnml: failed with status $status: $project/monthly.log" >&2 ;;
esac
# cron sends what is written here by mail; a tripped gate is no failure of the job.
[ "$status" -eq 6 ] && exit 0
exit "$status"
