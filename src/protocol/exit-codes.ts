/** Exit codes of `elders`, stable for scripts; 69 is sysexits' EX_UNAVAILABLE, 130 is 128 + SIGINT. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  not_running: 3,
  denied: 4,
  timed_out: 5,
  approval_required: 6,
  redis_unreachable: 69,
  interrupted: 130,
} as const;
export type ExitName = keyof typeof exitCodes;
