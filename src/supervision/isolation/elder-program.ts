/** How the program of an elder is started. */
export interface ElderProgram {
  /** Path of Node, or of what a test starts in its place. */
  readonly command: string;
  /** Arguments for the elder of a name, which comes last. */
  args(name: string): string[];
  /** What Node has to read to run it; without it the program gets neither a seat belt nor a boundary. */
  readonly files?: {
    /** Absolute paths of files and folders. */
    readonly program: readonly string[];
    /** Folder of the compile cache, which no elder may write: what it holds runs in other processes too. */
    readonly cache: string;
    /** Fills the cache, once, and gives the folder in it that Node fills for this user, if it did; never rejects. */
    readonly warm?: () => Promise<string | null>;
  };
}
