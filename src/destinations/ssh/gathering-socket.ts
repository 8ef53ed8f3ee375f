import { connect, type Socket } from "node:net";

/**
 * Connects a TCP socket that sends what was written in one turn of the event loop with one system call. The SSH library
 * writes each packet in three pieces of which one has 32 KiB and the others 20 bytes; sent one by one, without Nagle's delay,
 * they cost three calls and three packets on the line.
 */
export function connectGathering(address: { readonly host: string; readonly port: number }): Socket {
  const socket = connect(address);
  // Only now: connecting puts the class's own method back.
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isGathering = false;
  socket.write = (...args: unknown[]) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      setImmediate(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
  return socket;
}
