/** What a function is given at most in one piece: as much as an HTTP request may carry. */
export const maxContentBytes = 104_857_600;
