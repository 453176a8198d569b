/** The version of the official tools that `func` stands for; programs compare it as a semantic version. */
export const coreToolsVersion = '4.1052.0';
