/** A certificate that is renewed by itself. */
export interface FreshCertificate {
  /** Renews it now; rejects with what hindered that. */
  renew(): Promise<void>;
  stop(): void;
}

interface KeepFreshOptions {
  readonly renewOnce: () => Promise<void>;
  readonly lifetimeMs: number;
  /** Whether the present one was issued just now; otherwise nobody knows how old it is. */
  readonly fresh: boolean;
  readonly onError: (error: unknown) => void;
}

/** The longest that a timer of Node waits is 24.8 days; certificates that live longer are renewed daily. */
const longestDelay = 24 * 3_600_000;

/** Gives the ms to wait before a certificate of this lifetime is renewed: a little less than half of it. */
export function renewalDelay(lifetimeMs: number, random: number): number {
  return Math.min(longestDelay, (lifetimeMs / 2) * (1 - 0.1 * random));
}

/** Renews a certificate at half of its life, and sooner again after a failure, until `stop` is called. */
export function keepFresh(options: KeepFreshOptions): FreshCertificate {
  const { renewOnce, lifetimeMs, fresh, onError } = options;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();
  const schedule = (delay: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void renew().catch(() => undefined), delay);
  };
  const attempt = async () => {
    try {
      await renewOnce();
      schedule(renewalDelay(lifetimeMs, Math.random()));
    } catch (error) {
      if (!stopped) {
        onError(error);
        schedule(renewalDelay(lifetimeMs / 10, Math.random()));
      }
      throw error;
    }
  };
  // One after the other: the proof of the second would void that of the first.
  const renew = () => {
    last = last.catch(() => undefined).then(attempt);
    return last;
  };
  schedule(
    fresh ? renewalDelay(lifetimeMs, Math.random()) : Math.random() * Math.min(5_000, lifetimeMs / 20),
  );
  return {
    renew,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
