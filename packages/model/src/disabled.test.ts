import { describe, expect, it } from 'vitest';
import { isFunctionDisabled } from './disabled.ts';
import { createSettingsView } from './settings.ts';

describe('isFunctionDisabled', () => {
  it.each([
    ['AzureWebJobs.Hello.Disabled', '1', true],
    ['AzureWebJobs.Hello.Disabled', 'true', true],
    ['azurewebjobs.hello.disabled', 'TRUE', true],
    ['AzureWebJobs_Hello_Disabled', '1', true],
    ['AzureWebJobs.Hello.Disabled', '0', false],
    ['AzureWebJobs.Hello.Disabled', 'false', false],
    ['AzureWebJobs.Hello.Disabled', 'yes', false],
    ['AzureWebJobs.Hello.Disabled', '', false],
    ['AzureWebJobs.Other.Disabled', '1', false],
    ['Hello.Disabled', '1', false],
  ])('%s = %j', (name, value, expected) => {
    expect(isFunctionDisabled(createSettingsView([[name, value]]), 'Hello')).toBe(expected);
  });
});
