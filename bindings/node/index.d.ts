/**
 * Encrypted logs: sealed inside the application, opened only by the holder of the secret.
 *
 * `init` sets the client of the process up, and a function for every level logs through it; a
 * `LogFluxClient` by itself does the same. `seal` and `open` do one entry, a `Sealer` and an `Opener` do
 * many. Everything that fails is a `LogFluxError`.
 */

/** A severity, by its number or name: that of syslog plus one, the most severe first. */
export type LevelLike =
  | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8
  | 'emergency' | 'alert' | 'critical' | 'error' | 'warning' | 'notice' | 'info' | 'debug';

export declare const Level: {
  readonly EMERGENCY: 1;
  readonly ALERT: 2;
  readonly CRITICAL: 3;
  readonly ERROR: 4;
  readonly WARNING: 5;
  readonly NOTICE: 6;
  readonly INFO: 7;
  readonly DEBUG: 8;
};

/** How an entry is sealed. 2, 3 and 4 are provisional; 128 is an extension with a key for every entry. */
export type ModeLike = 1 | 2 | 3 | 4 | 128;

export declare const Mode: {
  /** The standard: AES-256-GCM under a PBKDF2-HMAC-SHA256 key of 600,000 iterations. */
  readonly PBKDF2: 1;
  readonly SCRYPT: 2;
  readonly ARGON2: 3;
  readonly CHACHA20_ARGON2: 4;
  /** Every entry has a key of its own at full speed; node, level and timestamp are authentic. */
  readonly HKDF: 128;
};

/** A number of milliseconds, or text such as `250ms`, `5s` or `1.5h`. */
export type Duration = number | string;

/** A secret: text, its UTF-8, or a `Secret`. */
export type SecretLike = string | Uint8Array | Secret;

/** How key derivations are spent in modes 1 to 4: a name with its usual bounds, or a name with others. */
export type KeyPolicy =
  | 'unique'
  | 'adaptive'
  | 'bounded'
  | { name: 'unique' }
  | { name?: 'adaptive'; budget?: number; maxEntries?: number; maxAge?: Duration }
  | { name: 'bounded'; maxEntries?: number; maxAge?: Duration };

/**
 * What a client may be set to. What is left out is what its `LOGFLUX_…` variable says, or its default.
 * `secret` and `apiKey` must not be `undefined`: a variable that is not set would be passed over.
 */
export interface Settings {
  // settings: begin
  /** The ingest API, without the path of a call: an https:// URL; needed. */
  serverUrl?: string;
  /** The API key: lf_ and 32 letters or digits; one of LOGFLUX_API_KEY and LOGFLUX_API_KEY_FILE is needed by default. */
  apiKey?: string;
  /** The secret that every key is derived from: UTF-8 that is not blank; one of LOGFLUX_SECRET, LOGFLUX_SECRET_FILE and LOGFLUX_SECRET_COMMAND is needed by default. */
  secret?: SecretLike;
  /** The sender's name: 1 to 255 characters without control characters; the host name by default. */
  node?: string | null;
  /** The file of the authority to trust, in PEM, and then no other is trusted; `system` is what the operating system trusts: a path, or `system`; Mozilla's public authorities by default. */
  caFile?: string | URL;
  /** The proxy that requests go through; none is a direct connection whatever the other variables say: a URL that begins with http://, https://, socks5:// or socks5h://, or none; what HTTPS_PROXY, ALL_PROXY and NO_PROXY say by default. */
  proxy?: string;
  /** How long one request may take: a duration from 1ms to 24h; 30s by default. */
  httpTimeout?: Duration;
  /** How many requests may be in flight at once: a whole number from 1 to 16; 2 by default. */
  maxInFlight?: number;
  /** How often a request is sent again after its first failure, where there is no spool: a whole number from 0 to 1,000,000; 5 by default. */
  maxRetries?: number;
  /** The pause after the first failure, at most maxDelay: a duration from 1ms to 24h; 500ms by default. */
  initialDelay?: Duration;
  /** The longest pause between two attempts, unless the server asks for a longer one: a duration from 1ms to 24h; 30s by default. */
  maxDelay?: Duration;
  /** By what the pause grows with every failure: a number from 1 to 100; 2 by default. */
  backoffFactor?: number;
  /** How long a batch is tried at most, where there is no spool: a duration from 0s to 7d; 5m by default. */
  retryDeadline?: Duration;
  /** How many messages may wait in memory: a whole number from 1 to 16,000,000; 10,000 by default. */
  queueSize?: number;
  /** How many bytes of messages may wait in memory; a longer message is taken where nothing else waits: a size from 1 byte to 64GiB; 8MiB by default. */
  queueBytes?: number | string;
  /** What a logging call does when the queue is full: drop the new message, drop the oldest, or wait: "drop_newest", "drop_oldest" or "block"; drop_newest by default. */
  whenFull?: 'drop_newest' | 'drop_oldest' | 'block';
  /** How long a message may wait for others to be sent with: a duration from 1ms to 24h; 1s by default. */
  flushInterval?: Duration;
  /** The folder of a durable spool: what is in it outlives the process: a path; no spool by default. */
  spoolDir?: string | URL;
  /** How many bytes the spool of one process may take on disk: a size from 1MiB to 1TiB; 256MiB by default. */
  spoolMaxBytes?: number | string;
  /** What a full spool does: refuse the new entry, or drop the oldest: "refuse" or "drop_oldest"; refuse by default. */
  spoolWhenFull?: 'refuse' | 'drop_oldest';
  /** How long a spooled entry may wait to be durable; a flush does not wait: a duration from 1ms to 24h; 100ms by default. */
  syncInterval?: Duration;
  /** The encryption mode: 1, 2, 3, 4 or 128, or a mode's name; 1 by default. */
  mode?: ModeLike | string;
  /** How key derivations are spent in modes 1 to 4: "unique", "adaptive" or "bounded"; adaptive by default. */
  keyPolicy?: KeyPolicy;
  /** The least severe level that is logged: 1 to 8, or emergency, alert, critical, error, warning, notice, info or debug; debug by default. */
  minLevel?: LevelLike;
  /** How long closing waits at the end of the process, or where no other time is given: a duration from 0s to 24h; 5s by default. */
  closeTimeout?: Duration;
  // settings: end
  /** Called with how many messages were dropped by each reason since the last call, at most once a second. Without it a line goes to stderr, at most once a minute. */
  onDrop?: (dropped: Record<string, number>) => void;
  /** Called with every sentence about the client that would be a line on stderr. Without it, drops go to `onDrop`, if it is given, and all else to stderr. */
  onNotice?: (sentence: string) => void;
}

/** What `init` may be set to. */
export interface InitSettings extends Settings {
  /** Whether to deliver what is queued at SIGTERM and SIGINT, where nobody else listens; true by default. */
  handleSignals?: boolean;
  /** Whether to log uncaught errors as critical; true by default. What happens then does not change. */
  logUncaught?: boolean;
}

/** What a flush or a close found. */
export interface FlushResult {
  /** Messages that were dropped since the client was built. */
  readonly dropped: number;
  /** Messages that are still on their way. */
  readonly left: number;
}

/** What became of all messages: at every read `accepted = delivered + dropped + pending + spooled`. */
export interface ClientStats {
  /** Messages that were logged. */
  readonly accepted: number;
  /** Entries that the server has taken, duplicates included. */
  readonly delivered: number;
  /** Messages that were dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Messages that wait in memory. */
  readonly pending: number;
  /** Entries that are durable in the spool and wait to be sent. */
  readonly spooled: number;
  /** Requests that were sent. */
  readonly requests: number;
  /** Requests among them that carried entries again, after a failure. */
  readonly retries: number;
  /** Bytes of request bodies that were sent. */
  readonly bytes: number;
  /** Entries that were put into the dead-letter file. */
  readonly deadLetters: number;
  /** Keys that were derived. */
  readonly derivations: number;
  /** What failed last, if anything. */
  readonly lastError: string | undefined;
}

/** What `rotate` replaces. */
export interface Rotation {
  /** Seals from the next message that is taken from the queue on. A `Keyring` of both opens all. */
  secret?: SecretLike;
  /** Is used from the next request on. */
  apiKey?: string;
  /** The file of the authority to trust, which is read now. */
  caFile?: string | URL;
}

export interface WaitOptions {
  /** How long to wait; 5 s by default, or `closeTimeout` where a client is closed. */
  timeout?: Duration;
}

/**
 * A logging call. It takes its message and returns: it never throws, and waits for nothing. A message
 * without fields is logged as it is; with fields it is one JSON object with `message`, `fields` and, for
 * an error among them, `exception`.
 *
 * It gives nothing to wait for; `await` is harmless.
 */
export interface LogFunction {
  (message: unknown, fields?: object): void;
}

/**
 * Logs through one ingest API, as one node, with one secret. Clients of one process with the same
 * settings share one queue and one connection, also in workers.
 */
export declare class LogFluxClient {
  /** Nothing is sent, and no thread is started, before the first message. */
  constructor(settings?: Settings);
  log(level: LevelLike, message: unknown, fields?: object): void;
  /** The system is unusable. */
  emergency(message: unknown, fields?: object): void;
  /** Action must be taken at once. */
  alert(message: unknown, fields?: object): void;
  critical(message: unknown, fields?: object): void;
  error(message: unknown, fields?: object): void;
  warning(message: unknown, fields?: object): void;
  /** What is normal, but significant. */
  notice(message: unknown, fields?: object): void;
  info(message: unknown, fields?: object): void;
  debug(message: unknown, fields?: object): void;
  /** Whether a message of this level would be logged. */
  isEnabled(level: LevelLike): boolean;
  /**
   * Waits until all that was logged before is delivered, or durable in the spool. False where a message
   * was dropped since the client was built, or the time was not enough; `lastFlush` says how many.
   */
  flush(options?: WaitOptions): Promise<boolean>;
  /** As `flush`, and the event loop waits. */
  flushSync(timeout?: Duration): boolean;
  /** Flushes, and ends the client, unless others with the same settings go on. Later messages are dropped, and counted. */
  close(options?: WaitOptions): Promise<boolean>;
  /** As `close`, and the event loop waits. */
  closeSync(timeout?: Duration): boolean;
  /** What the last flush or close found. */
  readonly lastFlush: FlushResult | undefined;
  stats(): ClientStats;
  /** Goes on with another secret, API key or CA file, without a restart. Where one cannot be used, nothing is replaced. */
  rotate(rotation: Rotation): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Sets the client of the process up: everything that is logged from now on goes through it, in workers
 * as well. What is left out is what the `LOGFLUX_…` variables say. Once more with the same settings it
 * gives the same client. With others the new client takes its place, and the old one is closed when it
 * has delivered what it has.
 */
export declare function init(
  serverUrl?: string | null,
  node?: string | null,
  apiKey?: string | null,
  secret?: SecretLike | null,
  settings?: InitSettings,
): LogFluxClient;
export declare function init(settings: InitSettings): LogFluxClient;
/** As `init`, from the `LOGFLUX_…` variables; what is given here comes before them. */
export declare function initFromEnv(settings?: InitSettings): LogFluxClient;
/** The client of the process, if `init` has set one up. */
export declare function client(): LogFluxClient | undefined;
/** Logs through the client of the process. Before `init`, what is logged goes nowhere. */
export declare function log(level: LevelLike, message: unknown, fields?: object): void;
/** The system is unusable. */
export declare const emergency: LogFunction;
/** Action must be taken at once. */
export declare const alert: LogFunction;
export declare const critical: LogFunction;
export declare const error: LogFunction;
export declare const warning: LogFunction;
/** What is normal, but significant. */
export declare const notice: LogFunction;
export declare const info: LogFunction;
export declare const debug: LogFunction;
/** Flushes the client of the process; true where there was none. */
export declare function flush(options?: WaitOptions): Promise<boolean>;
export declare function flushSync(timeout?: Duration): boolean;
/** Closes the client of the process, and forgets it, but for `stats` and `lastFlush`. In a worker it only flushes. */
export declare function close(options?: WaitOptions): Promise<boolean>;
export declare function closeSync(timeout?: Duration): boolean;
/** What became of all messages of the client of the process, closed or not. */
export declare function stats(): ClientStats | undefined;
/** What the last flush or close of it found. */
export declare function lastFlush(): FlushResult | undefined;
/** Goes on with another secret, API key or CA file. */
export declare function rotate(rotation: Rotation): void;
/** Tells LogFlux that this process was restored from a snapshot, and that other copies of it may run. */
export declare function afterRestore(): void;

/** Calls `fn`; what is logged within it, whenever that is, has these fields. */
export declare function withContext<T>(fields: object, fn: () => T): T;
/** `fields` gives fields for every line, such as the ids of a trace; `undefined` takes it away. */
export declare function setContext(fields: (() => object | undefined) | undefined): void;

/** Where an integration logs to: the client of the process, unless another is given. */
export interface SinkOptions {
  client?: LogFluxClient;
}

/** Logs what is written to the console, which goes on to be written. Gives what undoes it. */
export declare function captureConsole(options?: SinkOptions & { console?: Console }): () => void;

export interface PinoOptions extends SinkOptions {
  /** pino's own option, where it is set: `msg` by default. */
  messageKey?: string;
  /** pino's own option, where it is set: `err` by default. */
  errorKey?: string;
}
export interface PinoDestination {
  write(line: string): boolean;
  flush(done?: (error?: Error) => void): void;
  flushSync(): void;
  end(): void;
}
/** A destination in the same thread: `pino(options, logflux.pino())`. */
export declare function pino(options?: PinoOptions): PinoDestination;

/** A transport of winston's, which must be installed. Its class is in `@logflux/logflux-js-sdk/winston`. */
export declare function winston(options?: SinkOptions & {
  level?: string;
  /** Logs the text that winston's format has made, in place of an object. */
  formatted?: boolean;
  silent?: boolean;
  handleExceptions?: boolean;
  handleRejections?: boolean;
}): any;

/** A logger for NestJS: `app.useLogger(new LogFluxLogger())`. */
export declare class LogFluxLogger {
  constructor(options?: string | (SinkOptions & { context?: string; logLevels?: string[] }));
  log(message: any, ...optionalParams: any[]): void;
  fatal(message: any, ...optionalParams: any[]): void;
  error(message: any, ...optionalParams: any[]): void;
  warn(message: any, ...optionalParams: any[]): void;
  debug(message: any, ...optionalParams: any[]): void;
  verbose(message: any, ...optionalParams: any[]): void;
  setLogLevels(levels: string[]): void;
  setContext(context: string): void;
  onApplicationShutdown(): Promise<void>;
}

/** An exporter of OpenTelemetry's log records: `new BatchLogRecordProcessor(new LogFluxLogRecordExporter())`. */
export declare class LogFluxLogRecordExporter {
  constructor(options?: SinkOptions);
  export(records: any[], resultCallback: (result: { code: number; error?: Error }) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * The passphrase or generated key from which every key is derived: its UTF-8 exactly as given. It shows
 * nothing of itself, and its memory is zeroed at its end. A string that it was made from is JavaScript's,
 * and is not.
 */
export declare class Secret {
  constructor(text: string | Uint8Array);
  /** A new secret of 256 bits, as 64 hexadecimal digits. */
  static generate(): Secret;
  /** The secret that LOGFLUX_SECRET, LOGFLUX_SECRET_FILE or LOGFLUX_SECRET_COMMAND names. */
  static fromEnv(): Secret;
  /** The secret itself, as text. */
  expose(): string;
  toString(): string;
  toJSON(): string;
}

/** Several secrets, the newest first, so that old entries stay readable after a rotation. */
export declare class Keyring {
  /** `since` says from when on a secret sealed: an entry is tried first with the secret of its time. */
  constructor(newest: SecretLike | DatedSecret, ...older: (SecretLike | DatedSecret)[]);
  readonly size: number;
  toString(): string;
  toJSON(): string;
}
export interface DatedSecret {
  secret: SecretLike;
  since?: Date | number | string;
}

/** What travels for one message. */
export interface EntryFields {
  readonly node: string;
  /** The sealed message in base64. */
  readonly payload: string;
  readonly loglevel: number;
  /** RFC 3339, in UTC. */
  readonly timestamp: string;
  readonly encryption_mode: number;
  readonly iv: string;
  readonly salt: string;
}
/** An entry in any of its forms: an object, or JSON as text or bytes. Reading is strict. */
export type EntryLike = EntryFields | string | Uint8Array;

export declare class Entry implements EntryFields {
  constructor(entry: EntryLike);
  static parse(entry: EntryLike): Entry;
  readonly node: string;
  readonly payload: string;
  readonly loglevel: number;
  readonly timestamp: string;
  readonly encryption_mode: number;
  readonly iv: string;
  readonly salt: string;
  /** The canonical JSON, the one form that every implementation writes. */
  toString(): string;
}

export interface SealOptions {
  /** `info` by default. */
  level?: LevelLike;
  /** Now by default. */
  timestamp?: Date | number | string;
}
export interface SealerOptions {
  /** The host's name by default. */
  node?: string;
  mode?: ModeLike | string;
  keyPolicy?: KeyPolicy;
}
export interface SealerStats {
  /** Entries that no other entry shares a key with. */
  readonly unique: number;
  /** Entries that share their key with others. */
  readonly shared: number;
  readonly derivations: number;
  /** How often sealing had to wait for a key. */
  readonly waits: number;
  /** Keys that are derived ahead now. */
  readonly poolLevel: number;
}

/** Seals messages under one secret, in one mode, spending derivations by a key policy. */
export declare class Sealer {
  constructor(secret: SecretLike, options?: SealerOptions);
  /** The first of a process waits for a key, and later ones where the key policy says so. */
  seal(message: string | Uint8Array, options?: SealOptions): Entry;
  sealMany(messages: Iterable<string | Uint8Array>, options?: SealOptions): Entry[];
  stats(): SealerStats;
}

export interface OpenManyOptions {
  /** Called with how many entries are done, of how many. */
  progress?: (done: number, total: number) => void;
  /** Whether an error stands in the place of its entry, in place of being thrown. */
  returnErrors?: boolean;
  /** Whether the messages are given as bytes, whatever they are. */
  bytes?: boolean;
}

/** Opens entries with one or more secrets, and remembers keys. */
export declare class Opener {
  constructor(secret: SecretLike | Keyring, options?: { remember?: number; threads?: number });
  open(entry: EntryLike): string;
  openBytes(entry: EntryLike): Buffer;
  /** On all cores; the event loop goes on. An error has the `index` of its entry. */
  openMany(entries: Iterable<EntryLike>, options?: OpenManyOptions & { returnErrors?: false; bytes?: false }): Promise<string[]>;
  openMany(entries: Iterable<EntryLike>, options: OpenManyOptions & { returnErrors?: false; bytes: true }): Promise<Buffer[]>;
  openMany(entries: Iterable<EntryLike>, options: OpenManyOptions): Promise<(string | Buffer | LogFluxError)[]>;
}

/** Seals one message under a salt and a key of its own. It costs a whole derivation, tens of milliseconds. */
export declare function seal(
  message: string | Uint8Array,
  secret: SecretLike,
  options?: SealOptions & { node?: string; mode?: ModeLike | string },
): Entry;
/** Opens one entry whose message is text. It costs a whole derivation; an `Opener` remembers keys. */
export declare function open(entry: EntryLike, secret: SecretLike | Keyring): string;
/** Opens one entry whatever its message's bytes are. */
export declare function openBytes(entry: EntryLike, secret: SecretLike | Keyring): Buffer;
/** Opens many entries on all cores; the event loop goes on. */
export declare function openMany(entries: Iterable<EntryLike>, secret: SecretLike | Keyring, options?: OpenManyOptions & { returnErrors?: false; bytes?: false }): Promise<string[]>;
export declare function openMany(entries: Iterable<EntryLike>, secret: SecretLike | Keyring, options: OpenManyOptions & { returnErrors?: false; bytes: true }): Promise<Buffer[]>;
export declare function openMany(entries: Iterable<EntryLike>, secret: SecretLike | Keyring, options: OpenManyOptions): Promise<(string | Buffer | LogFluxError)[]>;

/** Everything that LogFlux throws is one. None holds a secret, a message or a key. */
export declare class LogFluxError extends Error {
  constructor(message: string, where?: { stage?: string; field?: string; index?: number });
  /** Where an entry failed: `json`, `field`, `base64`, `size`, `mode`, `authentication` or `utf8`. */
  readonly stage?: string;
  /** The field of the entry. */
  readonly field?: string;
  /** Which of many entries it was. */
  readonly index?: number;
}
/** A setting or a variable is missing or wrong; the message begins with its name. */
export declare class SettingsError extends LogFluxError {}
/** A secret is not usable, or cannot be read. */
export declare class SecretError extends LogFluxError {}
/** An entry, or one of its fields, is not valid. */
export declare class EntryError extends LogFluxError {}
/** A message was not sealed: too long, or half a surrogate pair. */
export declare class SealError extends LogFluxError {}
/** Another secret, an altered entry, or no text. */
export declare class OpenError extends LogFluxError {}

/** The version of the package. */
export declare const version: string;

declare const logflux: typeof import('./index.js');
export default logflux;
