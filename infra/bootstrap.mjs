// The first thing that runs in a fresh clone: installs what the lock file asks for, finds Node 24 and goes on under it.
//
//   node infra/bootstrap.mjs                          installs only
//   node infra/bootstrap.mjs SCRIPT.ts [args…]        runs a script of this project
//   node infra/bootstrap.mjs --jest [args…]           runs the tests
//   node infra/bootstrap.mjs --bin NAME [args…]       runs a tool of node_modules/.bin
//
// Plain JavaScript without dependencies, because it runs on whatever Node is there (18 or later).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const bin = path.join(modules, '.bin');
const lockFile = path.join(root, '.cache', 'install.lock');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (sentence) => process.stderr.write(`${sentence}\n`);

/** A failure whose message is all that the person needs to read. */
class PlainError extends Error {}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** npm notes in node_modules what it has installed, as the last thing it does; that is compared with what the lock file asks for. */
function isInstalled() {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const present = readPackages(path.join(modules, '.package-lock.json'));
  if (wanted === undefined) throw new PlainError('package-lock.json is missing or broken: take it from the repository again.');
  if (present === undefined) return false;
  return Object.entries(wanted).every(([place, { version, integrity, optional, devOptional }]) => {
    const found = present[place];
    // Binaries for other platforms are in the lock and not in the tree.
    if (found === undefined) return place === '' || optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Its owner touches the lock every second, so one that is 20 s old belongs to nobody, whoever has its process id now. */
function isStale() {
  try {
    const age = Date.now() - statSync(lockFile).mtimeMs;
    const pid = Number(readFileSync(lockFile, 'utf8'));
    return age > 20_000 || (pid > 0 && !isAlive(pid));
  } catch {
    return false;
  }
}

function tryLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw new PlainError(`Cannot write ${lockFile}: ${error.code}.`);
    if (isStale()) rmSync(lockFile, { force: true });
    return false;
  }
}

/** Two installations at once would delete each other's files: the second one waits, and then finds everything there. */
async function underLock(work) {
  mkdirSync(path.dirname(lockFile), { recursive: true });
  for (let waited = 0; !tryLock(); waited += 500) {
    if (waited % 5_000 === 0) say('Another installation is running in this directory: waiting for it.');
    await sleep(500);
  }
  const touch = setInterval(() => existsSync(lockFile) && utimesSync(lockFile, new Date(), new Date()), 1_000);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    rmSync(lockFile, { force: true });
  }
}

/** npm makes all directories first and fills them later, so a package counts once its package.json is there. */
function progressOf(startedMs) {
  const packages = Object.entries(readPackages(path.join(root, 'package-lock.json')) ?? {});
  const places = packages.flatMap(([place, { optional, devOptional }]) => (place === '' || optional || devOptional ? [] : [place]));
  const filled = places.filter((place) => existsSync(path.join(root, place, 'package.json'))).length;
  return `${Math.round((Date.now() - startedMs) / 1000)} s, ${filled} of ${places.length} packages are in place`;
}

/** Install scripts are not needed by any package of this project, so none is run. */
function startNpm() {
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] };
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /npm-cli\.c?js$/.test(cli)) return spawn(process.execPath, [cli, ...args], options);
  return spawn(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { ...options, shell: process.platform === 'win32' });
}

function npmCi() {
  const startedMs = Date.now();
  say('Installing the dependencies with npm ci: this is done once and takes about half a minute.');
  const progress = setInterval(() => say(`Still installing: ${progressOf(startedMs)}.`), 3_000);
  return new Promise((resolve, reject) => {
    const child = startNpm();
    const stopForwarding = forwardSignals(child);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-4_000)));
    const settle = (problem) => {
      clearInterval(progress);
      stopForwarding();
      if (problem === undefined) resolve(say(`Installed: ${progressOf(startedMs)}.`));
      else reject(new PlainError(problem));
    };
    child.on('error', (error) => settle(error.code === 'ENOENT' ? 'npm was not found: install npm, then run this again.' : error.message));
    child.on('close', (code) => {
      if (code === 0) return settle();
      return settle(`${errors.trim()}\nThe installation failed (npm ci ended with ${code}): see npm's words above, then run this again.`);
    });
  });
}

function majorOf(executable) {
  const asked = spawnSync(executable, ['--version'], { encoding: 'utf8' });
  return asked.status === 0 ? Number(/^v(\d+)\./.exec(asked.stdout)?.[1] ?? 0) : 0;
}

/** The pinned binary where npm has one for this platform, else the Node that runs this file if it is new enough. */
function findNode() {
  const pinned = path.join(bin, 'node');
  if (existsSync(pinned) && majorOf(pinned) >= NEEDED) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= NEEDED) return process.execPath;
  throw new PlainError(
    `This project needs Node ${NEEDED} and found ${process.version}: install Node ${NEEDED} from https://nodejs.org, then run this again.`,
  );
}

/** A terminal sends Ctrl-C to every process itself; whoever signals only this one is passed on. @returns how to stop it */
function forwardSignals(child) {
  const forwards = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, forward] of forwards) process.on(signal, forward);
  return () => forwards.forEach(([signal, forward]) => process.off(signal, forward));
}

/** npm, or the shell that it runs scripts by, may be killed in a way that is passed on to nobody: its death is the message then. */
function endWithNpm(child) {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref();
}

function commandFor(args) {
  const [first, ...rest] = args;
  if (first === '--jest') {
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    return { file: findNode(), args: [...flags, path.join(modules, 'jest', 'bin', 'jest.js'), ...rest] };
  }
  if (first === '--bin') return { file: path.join(bin, rest[0] ?? ''), args: rest.slice(1) };
  return { file: findNode(), args: [path.resolve(root, first), ...rest] };
}

function goOn(args) {
  const command = commandFor(args);
  findNode(); // the tools run on it as well
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`, BOOTSTRAP_PID: String(process.pid) };
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.args, { stdio: 'inherit', env });
    const stopForwarding = forwardSignals(child);
    endWithNpm(child);
    child.on('error', (error) => reject(new PlainError(`Cannot run ${command.file}: ${error.code ?? error.message}.`)));
    child.on('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function main(args) {
  if (!isInstalled()) await underLock(async () => isInstalled() || (await npmCi()));
  return args.length === 0 ? 0 : await goOn(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof PlainError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
