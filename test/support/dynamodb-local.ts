import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { startServerProcess } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

/** The exact release; the newest of line 2 on Maven Central that the suites were tried with. */
export const dynamoDbLocalVersion = '2.6.1';
const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

const cache = join(import.meta.dirname, '../../.cache');
const run = promisify(execFile);

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>token-vending</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>${dynamoDbLocalVersion}</version>
    </dependency>
  </dependencies>
</project>
`;

/** Its own main class listens on every interface and has no option for that; this one binds it to loopback. */
const launcher = `
import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

public class Loopback {
  public static void main(String[] arguments) throws Exception {
    var proxy = ServerRunner.createServerFromCommandLineArgs(arguments);
    var server = proxy.getClass().getDeclaredField("server");
    server.setAccessible(true);
    for (var connector : ((Server) server.get(proxy)).getConnectors()) ((ServerConnector) connector).setHost("127.0.0.1");
    proxy.start();
    proxy.join();
  }
}
`;

/** DynamoDB Local in a process of its own, in memory. */
export interface DynamoDbLocal extends ServerProcess {
  endpoint: string;
}

/**
 * Installs DynamoDB Local from Maven Central under `.cache/`, once.
 *
 * @returns its directory: `lib/` and the launcher
 * @throws Error where Maven and a JDK 17 or later are not to be had, or the download fails
 */
export async function installDynamoDbLocal(): Promise<string> {
  const home = join(cache, `dynamodb-local-${dynamoDbLocalVersion}`);
  if (existsSync(home)) return home;
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(join(cache, 'dynamodb-local-building-'));
  try {
    await writeFile(join(building, 'pom.xml'), pom);
    await writeFile(join(building, 'Loopback.java'), launcher);
    const goal = `${dependencyPlugin}:copy-dependencies`;
    await run('mvn', ['--batch-mode', '--quiet', '--file', join(building, 'pom.xml'), goal, '-DoutputDirectory=lib'], { cwd: building });
    await run('javac', ['-cp', 'lib/*', 'Loopback.java'], { cwd: building });
    await rename(building, home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw new Error(`DynamoDB Local ${dynamoDbLocalVersion} could not be installed with mvn and a JDK of version 17 or later`, {
      cause: error,
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return home;
}

/**
 * Installs (once) and starts DynamoDB Local on 127.0.0.1.
 *
 * @throws Error where it cannot be installed or does not become ready
 */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const home = await installDynamoDbLocal();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const lib = join(home, 'lib');
  const server = await startServerProcess({
    name: `DynamoDB Local on port ${port}`,
    command: [
      'java',
      `-Djava.library.path=${lib}`,
      '-cp',
      `${home}:${lib}/*`,
      'Loopback',
      '-inMemory',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    directory: await mkdtemp(join(tmpdir(), 'dynamodb-local-')),
    // Without a signature it refuses every request, and so shows that it is there.
    isReady: async () => (await fetch(endpoint, { signal: AbortSignal.timeout(1_000) })).status === 400,
  });
  return { endpoint, ...server };
}
