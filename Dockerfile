# Lifeboat for amd64 and arm64: `docker build -t lifeboat .`
#
# Pin the base for a release: --build-arg NODE_IMAGE=node:26-trixie-slim@sha256:<digest>
ARG NODE_IMAGE=node:26-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: they would bring a second Node.js; everything used here ships its binaries in the packages.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && node scripts/stage-image.ts /stage

FROM ${NODE_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="Lifeboat" \
      org.opencontainers.image.description="Backup sidecar: scheduled tar archives of mounted volumes, delivered, pruned and reported" \
      org.opencontainers.image.licenses="MPL-2.0" \
      org.opencontainers.image.version="${VERSION}"

# libdeflate and ISA-L compress at half the CPU time of what Node.js has built in. tini reaps what labelled commands leave behind. npm and its kin are not needed to run. Panels look for the lock under
# both /var/lock and /run/lock, which are one folder. /data is writable to any user, so that a volume made from it is, too;
# neither config folder is created here, because its presence means that it is to be used.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini libdeflate0 libisal2 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
           /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && mkdir -p -m 1777 /run/lock /data \
 && ln -s /usr/lib/lifeboat/bin/lifeboat /usr/bin/lifeboat \
 && ln -s /usr/lib/lifeboat/bin/backup /usr/bin/backup

COPY --from=build /stage /usr/lib/lifeboat

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/lib/lifeboat/docker/healthcheck"]
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/lib/lifeboat/docker/entrypoint"]
CMD ["lifeboat", "daemon"]
