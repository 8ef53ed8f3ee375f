/** Ends a command that can't go on with this configuration (exit code 5); what is wrong has been said already. */
export class BadConfig extends Error {}
