import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { connectGathering } from "./gathering-socket.ts";

it("gathers what is written in one turn, keeps its order, and loses nothing at the end", async () => {
  const received: Buffer[] = [];
  const server = createServer((peer: Socket) => peer.on("data", (chunk: Buffer) => received.push(chunk)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connectGathering({ host: "127.0.0.1", port });
  await once(socket, "connect");
  const sent: Buffer[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    for (const length of [4, 32_768, 16]) {
      const piece = Buffer.alloc(length, sent.length);
      sent.push(piece);
      socket.write(piece);
      expect(socket.writableCorked).toBe(1);
    }
    await new Promise((resolve) => void setImmediate(resolve));
    expect(socket.writableCorked).toBe(0);
  }
  socket.end("last");
  await once(socket, "close");
  expect(Buffer.concat(received).equals(Buffer.concat([...sent, Buffer.from("last")]))).toBe(true);
  await new Promise((resolve) => void server.close(resolve));
});
