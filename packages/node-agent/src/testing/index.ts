/** For tests and benchmarks that need a container engine of their own. */
export {
  openTestEngine,
  packTestImage,
  requireTestEngine,
  type TestEngine,
  type TestEngineOptions,
  testImage,
} from './test-engine.ts';
