import { z } from 'zod';

const externalRedis = z.strictObject({
  url: z.url({ protocol: /^rediss$/ }).describe('`rediss://admin:password@host:port`; TLS is not optional.'),
  ca: z.string().optional().describe('File with the CA that signed the certificate of that Redis.'),
  cert: z.string().optional().describe('Client certificate file, if that Redis wants one.'),
  key: z.string().optional().describe('Key of the client certificate.'),
});

/** Which Redis the tree runs on. */
export const redis = z
  .union([z.url({ protocol: /^rediss$/ }), externalRedis])
  .optional()
  .describe('A Redis of your own; without it the manager runs one.');
