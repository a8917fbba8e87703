import { routeKeyOf, routes, type Route } from '../../../functions/routes.ts';
import { decoded, type Routed } from './event.ts';

/** A route with what its path holds. */
export interface RoutedRequest extends Routed {
  route: Route;
}

const open = routes.find(({ method }) => method === '$default');
const compiled = routes
  .filter(({ method }) => method !== '$default')
  .map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replaceAll('.', String.raw`\.`).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
  }));

/**
 * Finds the route of a request as API Gateway does: one without variables wins over one with them, and `$default` takes the rest.
 *
 * @param path still encoded
 * @returns undefined where there is no `$default` route either
 */
export function routeOf(method: string, path: string): RoutedRequest | undefined {
  const found = compiled
    .flatMap(({ route, pattern }) => {
      const match = route.method === method ? pattern.exec(path) : null;
      return match === null ? [] : [{ route, groups: match.groups ?? {} }];
    })
    .toSorted((a, b) => Object.keys(a.groups).length - Object.keys(b.groups).length)[0];
  const route = found?.route ?? open;
  if (route === undefined) return undefined;
  const pathParameters = Object.fromEntries(Object.entries(found?.groups ?? {}).map(([name, value]) => [name, decoded(value)]));
  return { route, routeKey: routeKeyOf(route), pathParameters };
}
