// What the form of `callers` cannot say: each thing that is asked about is named once, and is one that the gate decides about.
import type { GateDefinition } from '../pipeline/definition.js';

export interface CallerProblem {
  readonly path: string;
  readonly expected: string;
}

export function findCallerProblems({ callers, environments, services }: GateDefinition): readonly CallerProblem[] {
  const { github, gitlab, kubernetes, azure } = callers ?? {};
  const named = (path: string, names: readonly (string | number)[]): readonly CallerProblem[] =>
    names.flatMap((name, n) => (names.indexOf(name) === n ? [] : [{ path: `${path}/${n}`, expected: 'each of them once' }]));
  const fits = (path: string, patterns: readonly string[], name: string | undefined, what: string): readonly CallerProblem[] =>
    name === undefined || patterns.some((one) => fitsPattern(one, name)) ? [] : [{ path, expected: `${what} that the gate decides about` }];
  const service = (path: string, name: string | undefined): readonly CallerProblem[] => fits(path, services, name, 'a service');
  const environment = (path: string, name: string): readonly CallerProblem[] => fits(path, environments, name, 'an environment');
  return [
    ...named('callers/github/repositories', github?.repositories.map(({ id }) => id) ?? []),
    ...(github?.repositories ?? []).flatMap((one, n) => service(`callers/github/repositories/${n}/service`, one.service)),
    ...Object.entries(github?.environments ?? {}).flatMap(([name, own]) => environment(`callers/github/environments/${escape(name)}`, own)),
    ...named('callers/gitlab/projects', gitlab?.projects.map(({ id, check }) => `${id} ${check}`) ?? []),
    ...(gitlab?.projects ?? []).flatMap((one, n) => [
      ...service(`callers/gitlab/projects/${n}/service`, one.service),
      ...environment(`callers/gitlab/projects/${n}/environment`, one.environment),
    ]),
    ...named('callers/kubernetes/namespaces', kubernetes?.namespaces.map(({ name }) => name) ?? []),
    ...(kubernetes?.namespaces ?? []).flatMap((one, n) => [
      ...service(`callers/kubernetes/namespaces/${n}/service`, one.service),
      ...environment(`callers/kubernetes/namespaces/${n}/environment`, one.environment),
    ]),
    ...named('callers/azure/projects', azure?.projects ?? []),
  ];
}

const fitsPattern = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
