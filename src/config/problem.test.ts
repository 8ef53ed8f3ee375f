import { expect, it } from "vitest";
import { abridged, type Problem } from "./problem.ts";

function problems(file: string, count: number, severity: Problem["severity"]): Problem[] {
  return Array.from({ length: count }, (_, index) => ({ severity, file, line: index + 1, message: "is wrong" }));
}

it("says the first problems of each file, and how many more there are", () => {
  const said = abridged([
    ...problems("/a", 20, "warning"),
    ...problems("/b", 25, "warning"),
    ...problems("/c", 1, "error"),
  ]);
  expect(said.filter(({ file }) => file === "/a")).toHaveLength(20);
  expect(said.filter(({ file }) => file === "/b")).toHaveLength(21);
  expect(said.at(-1)).toEqual({
    severity: "warning",
    file: "/b",
    message: "has 5 more problems; lifeboat check shows them all",
  });
});

it("leaves out no error for the sake of something lighter", () => {
  const said = abridged([...problems("/a", 30, "note"), ...problems("/a", 2, "error")]);
  expect(said.filter(({ severity }) => severity === "error")).toHaveLength(2);
  expect(said.at(-1)).toMatchObject({ severity: "note", message: expect.stringContaining("12 more problems") });
});
