/** Descriptor on which the launcher and its servant talk, one line each time. */
export const launcherFd = 3;

/** Exit code of `read` when its time is over: 128 and SIGALRM. */
const timeIsOver = 142;

/**
 * The program of a launcher, for bash 4 or later; its argument is a folder of its own. It says `ready` and takes:
 *
 * - `pipes NAME…`: makes FIFOs in its folder, and says `pipes`.
 * - `run NUMBER`: reads the order in its folder (see `order.ts`) in a process that leads a group of its own and tells of
 *   itself: `pid NUMBER PID`, then `exit NUMBER CODE`, or `refused NUMBER` where the command could not begin. With its end
 *   its group ends.
 * - `watch PID`: the group is one that the servant has started itself, `over`: which has ended.
 * - `lease SECONDS`: within that time another line must come. A servant that is stopped sends none; its group is killed then, so
 *   that no command outlives its lease. The same when the servant dies, by the end of the connection.
 * - `stop`: kills the group. `look`: waits for the end of its leader and says `gone NUMBER`, or `left NUMBER` where others of the
 *   group are still there, whose end is not told to the launcher.
 *
 * A leader that was killed is found with the next `lease`, and the rest of its group killed. Nothing is printed, or "Terminated" would stand in the output
 * of a command that was ended.
 */
export const launcherScript = `
  [ "\${BASH_VERSINFO[0]}" -ge 4 ] && cd -- "$1" || exit 1
  exec >/dev/null 2>&1
  unset NODE_OPTIONS OLDPWD
  set -m
  job=
  number=
  left=60
  lives() { [ -n "$job" ] && kill -0 -- "-$job"; }
  gone() { job=; echo "gone $number" >&${launcherFd}; }
  end() { ! lives || kill -KILL -- "-$job"; }
  echo ready >&${launcherFd}
  while :; do
    if [ -n "$job" ]; then read -r -t "$left" word rest <&${launcherFd}
    else read -r word rest <&${launcherFd}; fi
    code=$?
    if [ $code -eq ${timeIsOver} ]; then end; [ -z "$job" ] || wait "$job"; gone; continue; fi
    [ $code -eq 0 ] || break
    case $word in
      lease)
        left=$rest
        [ -z "$job" ] || kill -0 "$job" || { end; job=; echo "left $number" >&${launcherFd}; } ;;
      look)
        [ -z "$job" ] || wait "$job"
        if lives; then echo "left $number" >&${launcherFd}; else gone; fi ;;
      run)
        end
        number=$rest
        (
          trap : TERM INT HUP
          code=
          . ./order
          if [ -n "$code" ]; then echo "exit $number $code" >&${launcherFd}; else echo "refused $number" >&${launcherFd}; fi
          kill -KILL 0
        ) &
        job=$! ;;
      watch) number= job=$rest ;;
      over) job= ;;
      stop) end; [ -z "$job" ] || wait "$job"; gone ;;
      pipes) command -p mkfifo -m 600 $rest; echo pipes >&${launcherFd} ;;
    esac
  done
  end`;
