// Nominal types: a value of Brand<T, 'x'> can only be made where its maker casts, so the type proves who made it.

declare const brand: unique symbol;

export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
