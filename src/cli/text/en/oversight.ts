/** Approvals, halts, rights and the audit log, in English. */
export const oversight = {
  groups: {
    emergency: 'halt everything, or one directive, at once',
    auth: 'who may do what',
    audit: 'what was refused, approved and changed',
  },
  commands: {
    'emergency halt': {
      summary: 'end running commands at once and let no task start until resumed',
      arguments: { id: 'id of a directive (default: all)' },
      options: { reason: 'why; kept with the halt' },
    },
    'emergency resume': {
      summary: 'take a halt back; what it ended starts again as a new attempt',
      arguments: { id: 'id of the directive that was halted (default: the halt of all)' },
      options: { reason: 'why; goes to every elder with the order' },
    },
    approvals: {
      summary: 'list what waits for your approval',
      arguments: {},
      options: { all: 'also what was decided already' },
    },
    approve: {
      summary: 'let what waits be carried out, once',
      arguments: { id: 'id of the approval, or of its directive' },
      options: { reason: 'why; kept with the approval', digest: 'approve only if this is what waits' },
    },
    deny: {
      summary: 'end what waits without carrying it out',
      arguments: { id: 'id of the approval, or of its directive' },
      options: { reason: 'why; kept with the directive', digest: 'deny only if this is what waits' },
    },
    'auth can-i': {
      summary: 'say whether somebody may send an action, and why; exit code 0 yes, 4 no',
      arguments: { action: 'such as sage.task.create' },
      options: {
        as: 'who: the name of an elder, gateway, manager or human',
        to: 'toward whom (default: anybody)',
        'on-behalf-of': 'who had it asked for, the first first, with commas between',
      },
    },
    'auth matrix': {
      summary: 'show all rights: what is not there is denied',
      arguments: {},
      options: {},
    },
    'audit list': {
      summary: 'list the audit log, the newest last',
      arguments: {},
      options: {
        since: 'only what is newer: 30m, 2h, or a date and time',
        kind: 'denial, approval, emergency, certificate, configuration or audit',
        limit: 'how many of the newest (default 100)',
      },
    },
    'audit verify': {
      summary: 'check that no line of the audit log was changed, removed or moved; exit code 0 only then',
      arguments: {},
      options: {},
    },
  },
  texts: {
    emergency: {
      halted: (id: string | null, told: number) =>
        `${id === null ? 'Everything' : `Directive ${id}`} is halted; the order has gone to ${told} processes.`,
      resumed: (id: string | null, told: number) =>
        `The halt of ${id === null ? 'everything' : `directive ${id}`} is lifted; the order has gone to ${told} processes.`,
    },
    approval: {
      none: 'Nothing waits for approval.',
      head: ['ID', 'STATE', 'RISK', 'DIRECTIVE', 'UNTIL', 'WHAT AND WHY'],
      approved: (id: string, directive: string) =>
        `Approval ${id} is given; directive ${directive} is carried out.`,
      denied: (id: string, directive: string) =>
        `Approval ${id} is denied; directive ${directive} is rejected.`,
      waits: (id: string, reasons: string) =>
        `It waits for your approval (${reasons}): elders approve ${id}, or elders deny ${id}`,
    },
    auth: {
      yes: (targets: string) => `yes, to ${targets}`,
      no: 'no',
      everybody: 'everybody',
      holderHead: ['NAME', 'PERMISSIONS', 'OWN DUTIES'],
      rightHead: ['FROM', 'TO', 'ACTION', 'BY PERMISSION', 'CHAIN'],
      note: '*: everybody on whose behalf it is asked for needs the right too. servant_1 stands for every servant. What is not here is denied.',
    },
    audit: {
      none: 'The audit log holds nothing of the kind.',
      head: ['NO', 'TIME', 'WHAT', 'WHO', 'ACTION', 'SAID BY', 'WHY'],
      ok: (records: number, seq: number, anchored: boolean) =>
        `${records} records, the last is ${seq}: all as they were written${anchored ? ', and none is missing at the end' : ''}.`,
      bad: (count: number) => `The audit log was changed: ${count} findings.`,
      end: 'end of the log',
      noAnchor:
        'The end of the log is not compared with Redis, because no tree runs here: a cut at the end would not be seen.',
    },
  },
};
