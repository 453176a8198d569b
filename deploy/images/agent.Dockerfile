# A node agent, which runs container jobs on the engine whose socket is mounted.
# The context is deploy/images/out/agent, which `node tools/images/main.ts agent` fills.
ARG BASE=node:24-bookworm-slim
FROM ${BASE}
COPY app /opt/switchyard
COPY --chown=10001:10001 state /var/lib/switchyard
ENV NODE_ENV=production SWITCHYARD_DATA_DIR=/var/lib/switchyard HOME=/var/lib/switchyard
WORKDIR /var/lib/switchyard
USER 10001
EXPOSE 9000
ENTRYPOINT ["node", "/opt/switchyard/bundle/main.mjs"]
CMD ["agent", "--host", "0.0.0.0"]
