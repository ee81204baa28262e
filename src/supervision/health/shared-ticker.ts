/** Calls that one timer makes together; more at once would hold up whatever else this process has to do. */
const mostTogether = 16;

interface Round {
  readonly interval: number;
  readonly timer: NodeJS.Timeout;
  readonly calls: Set<() => void>;
}

const rounds: Round[] = [];

/**
 * Calls `call` every `interval` ms, the first time within one, until the returned function is called. Those with the
 * same interval are called together: to wake up costs an idle process more than what it then has to do.
 */
export function everyInterval(interval: number, call: () => void): () => void {
  const round = rounds.find((each) => each.interval === interval && each.calls.size < mostTogether);
  const joined = round ?? startRound(interval);
  joined.calls.add(call);
  return () => {
    joined.calls.delete(call);
    if (joined.calls.size > 0) return;
    clearInterval(joined.timer);
    const at = rounds.indexOf(joined);
    if (at >= 0) rounds.splice(at, 1);
  };
}

function startRound(interval: number): Round {
  const calls = new Set<() => void>();
  const timer = setInterval(() => {
    for (const call of calls) call();
  }, interval);
  const round = { interval, timer, calls };
  rounds.push(round);
  return round;
}
