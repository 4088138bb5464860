/** `chat.completions` with `hyperion` and `smart_routing`, and with `hyperion` on what it gives. */
import OpenAI, { type APIPromise } from "openai";
import type {
  ChatCompletionStream,
  ChatCompletionStreamParams,
} from "openai/lib/ChatCompletionStream";
import type { ExtractParsedContentFromParams } from "openai/lib/parser";
import type { ParsedChatCompletion } from "openai/resources/chat/completions";
import type { Stream } from "openai/streaming";
import { keep, tell } from "./answers.js";
import type { Decided, Decision } from "./decision.js";
import type { HyperionParams } from "./options.js";

type Params = OpenAI.ChatCompletionCreateParams;
type PlainParams = OpenAI.ChatCompletionCreateParamsNonStreaming;
type StreamedParams = OpenAI.ChatCompletionCreateParamsStreaming;
type Answer = OpenAI.ChatCompletion & Decided;
type Chunks = Stream<OpenAI.ChatCompletionChunk> & Decided;

export class Completions extends OpenAI.Chat.Completions {
  override create(
    body: PlainParams & HyperionParams,
    options?: OpenAI.RequestOptions,
  ): APIPromise<Answer>;
  override create(
    body: StreamedParams & HyperionParams,
    options?: OpenAI.RequestOptions,
  ): APIPromise<Chunks>;
  override create(
    body: Params & HyperionParams,
    options?: OpenAI.RequestOptions,
  ): APIPromise<Answer | Chunks>;
  override create(body: Params, options?: OpenAI.RequestOptions): APIPromise<any> {
    return super.create(body, options);
  }

  override parse<P extends PlainParams & HyperionParams, T = ExtractParsedContentFromParams<P>>(
    body: P,
    options?: OpenAI.RequestOptions,
  ): APIPromise<ParsedChatCompletion<T> & Decided> {
    return super
      .parse<P, T>(body, options)
      ._thenUnwrap((parsed, props) => keep(parsed as ParsedChatCompletion<T> & Decided, props));
  }

  /** Its `hyperion` is null until the answer's head has arrived: from the event `connect` on. */
  override stream<
    P extends ChatCompletionStreamParams & HyperionParams,
    T = ExtractParsedContentFromParams<P>,
  >(
    body: P,
    options?: OpenAI.RequestOptions,
  ): ChatCompletionStream<T> & { readonly hyperion: Decision | null } {
    let decision: Decision | null = null;
    const told = { ...options, [tell]: (known: Decision) => void (decision = known) };
    const stream = super.stream<P, T>(body, told);
    return Object.defineProperty(stream, "hyperion", { get: () => decision }) as any;
  }
}

export class Chat extends OpenAI.Chat {
  override completions: Completions = new Completions(this._client);
}
