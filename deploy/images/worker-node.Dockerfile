# A worker for Node.js with its sidecar. It holds no Runtime.
# The context is deploy/images/out/worker-node, which `node tools/images/main.ts worker-node` fills.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
COPY app /opt/switchyard
COPY --chown=10001:10001 state /var/lib/switchyard
ENV NODE_ENV=production SWITCHYARD_DATA_DIR=/var/lib/switchyard HOME=/var/lib/switchyard
WORKDIR /var/lib/switchyard
USER 10001
ENTRYPOINT ["node", "/opt/switchyard/bundle/main.mjs"]
CMD ["sidecar"]
