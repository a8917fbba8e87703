import type { TokenVendingProps } from './token-vending.ts';

/** What one stage is told; everything else has the construct's defaults. */
export type StageConfig = Omit<
  TokenVendingProps,
  'deployment' | 'vpc' | 'vpcSubnets' | 'securityGroups' | 'domain' | 'alarmTopic' | 'secretKeys'
>;

/** What `infra/vending.config.ts` exports: no secrets, reviewed like code. */
export interface VendingConfig {
  /** the deployment of a stage is called `{name}-{stage}` */
  name: string;
  /** what every stage is told */
  everyStage: StageConfig;
  /** what a stage of that name is told besides; a stage that is not listed is a sandbox */
  stages: Readonly<Record<string, StageConfig>>;
}
