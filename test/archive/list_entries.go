// Lists a tar archive as Go's archive/tar reads it: name in hex, type, mode, owner, size, SHA-256.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(err)
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, reader); err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(header.Name, "/")
		fmt.Printf("%x %c %d %d %d %d %x\n", name, header.Typeflag, header.Mode, header.Uid, header.Gid, header.Size, hash.Sum(nil))
	}
}
