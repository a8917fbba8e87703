import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type { IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  DomainName,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ARecord, RecordTarget } from 'aws-cdk-lib/aws-route53';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { routes } from '../../functions/routes.ts';
import type { HttpFunction, Route } from '../../functions/routes.ts';
import { acknowledge } from './service-function.ts';

/** Who may call: IAM identities, or holders of a JWT. The scope is required, so that an ID token of the issuer does not pass. */
export type Callers = 'iam' | { issuer: string; audience: string; scope: string };

/** A name of one's own for the API. */
export interface CustomDomain {
  name: string;
  /** in the API's region */
  certificate: ICertificate;
  /** absent: whoever manages the name's zone points it at the output `DomainTarget` */
  hostedZone?: IHostedZone | undefined;
}

export interface CallerApiProps {
  deployment: string;
  production: boolean;
  callers: Callers;
  functions: Readonly<Record<HttpFunction, IFunction>>;
  throttle: { ratePerSecond: number; burst: number };
  domain?: CustomDomain | undefined;
}

/** One line a request. No header, query or body is in it, so no token can be. */
const accessLog = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  routeKey: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  sourceIp: '$context.identity.sourceIp',
  error: '$context.error.message',
  authorizerError: '$context.authorizer.error',
  integrationError: '$context.integrationErrorMessage',
  integrationLatencyMs: '$context.integrationLatency',
  latencyMs: '$context.responseLatency',
  bytes: '$context.responseLength',
});

/** The HTTP surface of `functions/routes.ts` as an HTTP API. */
export class CallerApi extends Construct {
  readonly api: HttpApi;
  /** where callers reach it, without a slash at the end */
  readonly url: string;
  readonly domainName: DomainName | undefined;

  constructor(scope: Construct, id: string, props: CallerApiProps) {
    super(scope, id);
    this.domainName = props.domain === undefined ? undefined : this.addDomain(props.domain);
    this.api = new HttpApi(this, 'Api', {
      apiName: props.deployment,
      description: 'Vends access tokens of video platforms',
      createDefaultStage: false,
      // A second name would go around whatever stands in front of the first.
      disableExecuteApiEndpoint: props.domain !== undefined,
    });
    this.addStage(props);
    this.addRoutes(props);
    this.url = props.domain === undefined ? this.api.apiEndpoint : `https://${props.domain.name}`;
  }

  /**
   * @param method `GET` or `POST`
   * @param path as it is called, `*` where anything may stand
   * @returns ARN that a policy names to let an IAM identity call this
   */
  invokeArn(method: string, path: string): string {
    return Stack.of(this).formatArn({ service: 'execute-api', resource: this.api.apiId, resourceName: `$default/${method}${path}` });
  }

  private addStage(props: CallerApiProps): void {
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: props.production ? RetentionDays.THREE_MONTHS : RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: props.throttle.ratePerSecond, burstLimit: props.throttle.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(logs), format: AccessLogFormat.custom(accessLog) },
      ...(this.domainName === undefined ? {} : { domainMapping: { domainName: this.domainName } }),
    });
  }

  private addRoutes(props: CallerApiProps): void {
    const authorizer = authorizerFor(props.callers);
    const integrations = Object.fromEntries(
      Object.entries(props.functions).map(([stem, target]) => [stem, new HttpLambdaIntegration(stem, target)]),
    );
    for (const route of routes) {
      const integration = integrations[route.function];
      if (integration === undefined) throw new Error(`No function for route ${route.id}`);
      const open = route.auth === 'none';
      const added = new HttpRoute(this, route.id, {
        httpApi: this.api,
        routeKey: keyFor(route),
        integration,
        authorizer: open ? new HttpNoneAuthorizer() : authorizer,
        ...(open || props.callers === 'iam' ? {} : { authorizationScopes: [props.callers.scope] }),
      });
      if (open) acknowledge(added, 'AwsSolutions-APIG4', 'Open on purpose: it tells what the published documentation tells');
    }
  }

  private addDomain(domain: CustomDomain): DomainName {
    const name = new DomainName(this, 'Domain', {
      domainName: domain.name,
      certificate: domain.certificate,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    if (domain.hostedZone === undefined) {
      new CfnOutput(this, 'DomainTarget', { description: `Where ${domain.name} must point`, value: name.regionalDomainName });
    } else {
      const target = new ApiGatewayv2DomainProperties(name.regionalDomainName, name.regionalHostedZoneId);
      new ARecord(this, 'DomainRecord', { zone: domain.hostedZone, recordName: domain.name, target: RecordTarget.fromAlias(target) });
    }
    return name;
  }
}

function authorizerFor(callers: Callers): IHttpRouteAuthorizer {
  if (callers === 'iam') return new HttpIamAuthorizer();
  return new HttpJwtAuthorizer('Jwt', callers.issuer, { jwtAudience: [callers.audience] });
}

function keyFor(route: Route): HttpRouteKey {
  return route.method === '$default' ? HttpRouteKey.DEFAULT : HttpRouteKey.with(route.path, HttpMethod[route.method]);
}
