/** Lets a program of Node end when its stdin closes: then we are gone, however that came about. */
const script = 'data:text/javascript,process.stdin.on("end",()=>process.exit(0)).resume();';

/** Arguments of Node for a process that must not outlive this one; to be started with `lifeline`. */
export const lifelineArguments: readonly string[] = ['--import', script];
