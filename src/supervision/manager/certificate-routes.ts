import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { readBounded } from '../../protocol/bounded-body.ts';
import { parseBoundedJson } from '../../protocol/bounded-json.ts';
import {
  type CertificateList,
  type CertificateRevocation,
  type CertificateRotation,
  type CertificateRotationRequest,
  certificateRevocationRequest,
  certificateRotationRequest,
  type ProcessHealth,
} from '../../protocol/certificates.ts';
import { ElderError } from '../../protocol/errors.ts';
import { portLimits } from '../../protocol/limits.ts';
import { managerRoutes } from '../../protocol/local-api.ts';
import { safeCheck } from '../../protocol/safe-check.ts';

/** What the manager's socket offers about certificates and single processes. */
export interface CertificateControl {
  list(): CertificateList;
  rotate(request: CertificateRotationRequest): Promise<CertificateRotation>;
  revoke(name: string, restart: boolean): Promise<CertificateRevocation>;
  /** Asks one process now. Throws `not_found`. */
  health(name: string): Promise<ProcessHealth>;
}

/** Answers a request about certificates or the health of one process; `undefined` when it is about something else. */
export async function answerCertificateRoute(
  control: CertificateControl,
  request: IncomingMessage,
  url: URL,
): Promise<object | undefined> {
  const is = (route: { method: string; path: string }) =>
    request.method === route.method && url.pathname === route.path;
  if (is(managerRoutes.certificates)) return control.list();
  if (is(managerRoutes.rotateCertificates)) {
    return control.rotate(await bodyOf(certificateRotationRequest, request));
  }
  if (is(managerRoutes.revokeCertificates)) {
    const { name, restart } = await bodyOf(certificateRevocationRequest, request);
    return control.revoke(name, restart);
  }
  if (is(managerRoutes.health)) return control.health(url.searchParams.get('name') ?? '');
  return undefined;
}

async function bodyOf<S extends z.ZodType>(schema: S, request: IncomingMessage): Promise<z.output<S>> {
  const { bodyBytes, depth } = portLimits.manager;
  const checked = safeCheck(schema, parseBoundedJson(await readBounded(request, bodyBytes), depth));
  if (!checked.ok) throw new ElderError('usage', checked.reason);
  return checked.value;
}
