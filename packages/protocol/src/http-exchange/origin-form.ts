/**
 * The path and query of a request's target. Servers have to take the absolute form as well, `GET http://host/path`, which
 * clients send that take them for a proxy (RFC 9112, section 3.2.2); who is asked for stays with the header `Host`.
 */
export function originForm(target: string | undefined): string {
  if (target === undefined || target === '') return '/';
  const authority = /^https?:\/\/[^/?#]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
