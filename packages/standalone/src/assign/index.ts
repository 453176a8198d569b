/** `switchyard assign`. */
export { type AssignedWorkers, type AssignOptions, assignApp } from './assign-app.ts';
