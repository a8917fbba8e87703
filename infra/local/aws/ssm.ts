import * as z from 'zod/mini';
import { arn, AwsError, operation, seconds, type Service } from './protocol.ts';
import type { State } from './state.ts';

/** A parameter as it is kept. */
interface StoredParameter {
  value: string;
  type: string;
  version: number;
  modifiedMs: number;
}

/** What the Parameter Store keeps, by name. */
export type ParametersState = State<{ parameters: Record<string, StoredParameter> }>;

/** AWS gives at most this many parameters in one page. */
const PAGE = 10;

/**
 * The Parameter Store, as far as grants need it.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
 */
export function createSsm(state: ParametersState): Service {
  const { parameters } = state.value;
  const find = (name: string): StoredParameter => {
    const found = parameters[name];
    if (found === undefined) throw new AwsError('ParameterNotFound', '');
    return found;
  };
  return {
    PutParameter: operation(
      { Name: z.string(), Value: z.string(), Type: z._default(z.string(), 'String'), Overwrite: z._default(z.boolean(), false) },
      ({ Name, Value, Type, Overwrite }) => {
        const present = parameters[Name];
        if (present !== undefined && !Overwrite) {
          throw new AwsError('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option.');
        }
        const version = (present?.version ?? 0) + 1;
        parameters[Name] = { value: Value, type: Type, version, modifiedMs: Date.now() };
        state.save();
        return { Version: version, Tier: 'Standard' };
      },
    ),
    GetParameter: operation({ Name: z.string() }, ({ Name }) => ({ Parameter: describe(Name, find(Name)) })),
    DeleteParameter: operation({ Name: z.string() }, ({ Name }) => {
      find(Name);
      delete parameters[Name];
      state.save();
      return {};
    }),
    GetParametersByPath: operation(byPath, (input) => page(parameters, input)),
  };
}

const byPath = {
  Path: z.string(),
  Recursive: z._default(z.boolean(), false),
  MaxResults: z._default(z.number().check(z.maximum(PAGE)), PAGE),
  NextToken: z._default(z.string(), '0'),
};
const byPathSchema = z.object(byPath);

function page(parameters: Readonly<Record<string, StoredParameter>>, input: z.infer<typeof byPathSchema>) {
  const { Path, Recursive, MaxResults, NextToken } = input;
  const under = Path.endsWith('/') ? Path : `${Path}/`;
  const found = Object.entries(parameters)
    .filter(([name]) => name.startsWith(under) && (Recursive || !name.slice(under.length).includes('/')))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const next = Number(NextToken) + MaxResults;
  return {
    Parameters: found.slice(Number(NextToken), next).map(([name, parameter]) => describe(name, parameter)),
    ...(next < found.length ? { NextToken: String(next) } : {}),
  };
}

function describe(name: string, { value, type, version, modifiedMs }: StoredParameter) {
  return {
    Name: name,
    Type: type,
    Value: value,
    Version: version,
    LastModifiedDate: seconds(modifiedMs),
    ARN: arn('ssm', `parameter${name}`),
    DataType: 'text',
  };
}
