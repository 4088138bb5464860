// What the clients' files share: where packages are found, and the headers of one request.
import { createRequire } from "node:module";

export function packagesOf(context) {
  return createRequire(context.packages + "/");
}

export function faultHeaders(request) {
  return request.fault ? { "x-hyperion-fault": request.fault } : {};
}

// The schema of structured answers, as zod says it; the same as `Book` in clients.py.
export function bookSchema(zod) {
  return zod.object({
    title: zod.string(),
    pages: zod.number().int(),
    shelf: zod.object({ room: zod.string(), free: zod.boolean() }),
    words: zod.array(zod.string()),
  });
}
