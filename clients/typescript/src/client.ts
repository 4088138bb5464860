/**
 * The client: OpenAI's, with Hyperion's key, address and options. Everything of OpenAI's client
 * works as it does there. What differs: the environment variables are HYPERION_API_KEY and
 * HYPERION_BASE_URL alone, so that a key of OpenAI's never reaches the gateway nor the gateway's
 * key OpenAI; and every answer carries what the gateway decided.
 */
import OpenAI, { type APIPromise, type ClientOptions, OpenAIError } from "openai";
import { keep } from "./answers.js";
import { Chat } from "./completions.js";
import { type Feedback, feedbackBody, Route } from "./route.js";

export const DEFAULT_BASE_URL = "http://127.0.0.1:8080/v1";

export class Hyperion extends OpenAI {
  override chat: Chat = new Chat(this);
  /** Asks for decisions without sending anything to a provider. */
  route: Route = new Route(this);

  constructor(options: ClientOptions = {}) {
    const apiKey = options.apiKey ?? environment("HYPERION_API_KEY");
    if (!apiKey) {
      throw new OpenAIError(
        "No key for Hyperion: pass apiKey, or set the environment variable HYPERION_API_KEY " +
          "(OPENAI_API_KEY is left alone).",
      );
    }
    super({
      ...options,
      apiKey,
      baseURL: options.baseURL ?? environment("HYPERION_BASE_URL") ?? DEFAULT_BASE_URL,
      // Where they are undefined, OpenAI's client reads them from its own variables.
      adminAPIKey: options.adminAPIKey ?? null,
      organization: options.organization ?? null,
      project: options.project ?? null,
    });
    // And these it adds from OPENAI_CUSTOM_HEADERS, whatever is given.
    (this as unknown as { _options: ClientOptions })._options.defaultHeaders =
      options.defaultHeaders;
  }

  override request<Rsp>(...given: Parameters<OpenAI["request"]>): APIPromise<Rsp> {
    return super.request<Rsp>(...given)._thenUnwrap((answer, props) => keep(answer, props));
  }

  /** Tells how good an answer was. */
  async feedback(feedback: Feedback, options?: OpenAI.RequestOptions): Promise<void> {
    await this.post("/feedback", { body: feedbackBody(feedback), ...options });
  }
}

function environment(name: string): string | undefined {
  const value = globalThis.process?.env?.[name]?.trim();
  return value === "" ? undefined : value;
}
