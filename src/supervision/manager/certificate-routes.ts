import type { IncomingMessage } from 'node:http';
import type { BodyReader } from '../../protocol/bounded-body.ts';
import {
  type CertificateList,
  type CertificateRevocation,
  type CertificateRotation,
  type CertificateRotationRequest,
  certificateRevocationRequest,
  certificateRotationRequest,
  type ProcessHealth,
} from '../../protocol/certificates.ts';
import { managerRoutes } from '../../protocol/local-api.ts';

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
  { request, url, read }: { request: IncomingMessage; url: URL; read: BodyReader },
): Promise<object | undefined> {
  const is = (route: { method: string; path: string }) =>
    request.method === route.method && url.pathname === route.path;
  if (is(managerRoutes.certificates)) return control.list();
  if (is(managerRoutes.rotateCertificates)) {
    return control.rotate(await read(certificateRotationRequest));
  }
  if (is(managerRoutes.revokeCertificates)) {
    const { name, restart } = await read(certificateRevocationRequest);
    return control.revoke(name, restart);
  }
  if (is(managerRoutes.health)) return control.health(url.searchParams.get('name') ?? '');
  return undefined;
}
